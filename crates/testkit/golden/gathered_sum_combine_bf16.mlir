module @gathered_sum_combine_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xbf16>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x2xf32>, %arg4: tensor<4x21xbf16>) -> (tensor<4x21xbf16>, tensor<9x21xbf16>, tensor<4x2xf32>) {
    %0 = stablehlo.constant dense<0> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %2 = stablehlo.maximum %arg1, %1 : tensor<4x2xi32>
    %3 = stablehlo.compare GE, %arg1, %1, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %4 = "stablehlo.gather"(%arg0, %2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xbf16>, tensor<4x2xi32>) -> tensor<4x2x21xbf16>
    %5 = stablehlo.constant dense<0.0> : tensor<bf16>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<bf16>) -> tensor<4x2x21xbf16>
    %7 = stablehlo.broadcast_in_dim %3, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %8 = stablehlo.select %7, %4, %6 : tensor<4x2x21xi1>, tensor<4x2x21xbf16>
    %9 = stablehlo.convert %8 : (tensor<4x2x21xbf16>) -> tensor<4x2x21xf32>
    %10 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<4x2xf32>) -> tensor<4x2x21xf32>
    %11 = stablehlo.multiply %9, %10 : tensor<4x2x21xf32>
    %12 = stablehlo.constant dense<0.0> : tensor<f32>
    %13 = stablehlo.reduce(%11 init: %12) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    %14 = stablehlo.convert %13 : (tensor<4x21xf32>) -> tensor<4x21xbf16>
    %15 = stablehlo.reshape %arg3 : (tensor<4x2xf32>) -> tensor<8xf32>
    %16 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9x1xi32>
    %17 = stablehlo.maximum %arg2, %16 : tensor<9x1xi32>
    %18 = "stablehlo.gather"(%15, %17) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<8xf32>, tensor<9x1xi32>) -> tensor<9x1xf32>
    %19 = stablehlo.reshape %arg2 : (tensor<9x1xi32>) -> tensor<9xi32>
    %20 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %21 = stablehlo.maximum %19, %20 : tensor<9xi32>
    %22 = stablehlo.convert %21 : (tensor<9xi32>) -> tensor<9xf32>
    %23 = stablehlo.constant dense<0.5> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %25 = stablehlo.add %22, %24 : tensor<9xf32>
    %26 = stablehlo.constant dense<2.0> : tensor<f32>
    %27 = stablehlo.broadcast_in_dim %26, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %28 = stablehlo.divide %25, %27 : tensor<9xf32>
    %29 = stablehlo.floor %28 : tensor<9xf32>
    %30 = stablehlo.convert %29 : (tensor<9xf32>) -> tensor<9xi32>
    %31 = stablehlo.compare GE, %19, %20, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %32 = "stablehlo.gather"(%arg4, %30) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<4x21xbf16>, tensor<9xi32>) -> tensor<9x21xbf16>
    %33 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<bf16>) -> tensor<9x21xbf16>
    %34 = stablehlo.broadcast_in_dim %31, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %35 = stablehlo.select %34, %32, %33 : tensor<9x21xi1>, tensor<9x21xbf16>
    %36 = stablehlo.convert %35 : (tensor<9x21xbf16>) -> tensor<9x21xf32>
    %37 = stablehlo.reshape %18 : (tensor<9x1xf32>) -> tensor<9xf32>
    %38 = stablehlo.broadcast_in_dim %37, dims = [0] : (tensor<9xf32>) -> tensor<9x21xf32>
    %39 = stablehlo.multiply %36, %38 : tensor<9x21xf32>
    %40 = stablehlo.convert %39 : (tensor<9x21xf32>) -> tensor<9x21xbf16>
    %41 = stablehlo.convert %arg4 : (tensor<4x21xbf16>) -> tensor<4x21xf32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [0, 2] : (tensor<4x21xf32>) -> tensor<4x2x21xf32>
    %43 = stablehlo.multiply %9, %42 : tensor<4x2x21xf32>
    %44 = stablehlo.constant dense<0.0> : tensor<f32>
    %45 = stablehlo.reduce(%43 init: %44) applies stablehlo.add across dimensions = [2] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x2xf32>
    return %14, %40, %45 : tensor<4x21xbf16>, tensor<9x21xbf16>, tensor<4x2xf32>
  }
}
