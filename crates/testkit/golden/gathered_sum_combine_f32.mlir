module @gathered_sum_combine_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xf32>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x2xf32>, %arg4: tensor<4x21xf32>) -> (tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xf32>) {
    %0 = stablehlo.constant dense<0> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %2 = stablehlo.maximum %arg1, %1 : tensor<4x2xi32>
    %3 = stablehlo.compare GE, %arg1, %1, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %4 = "stablehlo.gather"(%arg0, %2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xf32>, tensor<4x2xi32>) -> tensor<4x2x21xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<4x2x21xf32>
    %7 = stablehlo.broadcast_in_dim %3, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %8 = stablehlo.select %7, %4, %6 : tensor<4x2x21xi1>, tensor<4x2x21xf32>
    %9 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<4x2xf32>) -> tensor<4x2x21xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<4x2x21xf32>
    %11 = stablehlo.constant dense<0.0> : tensor<f32>
    %12 = stablehlo.reduce(%10 init: %11) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    %13 = stablehlo.reshape %arg3 : (tensor<4x2xf32>) -> tensor<8xf32>
    %14 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9x1xi32>
    %15 = stablehlo.maximum %arg2, %14 : tensor<9x1xi32>
    %16 = "stablehlo.gather"(%13, %15) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<8xf32>, tensor<9x1xi32>) -> tensor<9x1xf32>
    %17 = stablehlo.reshape %arg2 : (tensor<9x1xi32>) -> tensor<9xi32>
    %18 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %19 = stablehlo.maximum %17, %18 : tensor<9xi32>
    %20 = stablehlo.convert %19 : (tensor<9xi32>) -> tensor<9xf32>
    %21 = stablehlo.constant dense<0.5> : tensor<f32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %23 = stablehlo.add %20, %22 : tensor<9xf32>
    %24 = stablehlo.constant dense<2.0> : tensor<f32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %26 = stablehlo.divide %23, %25 : tensor<9xf32>
    %27 = stablehlo.floor %26 : tensor<9xf32>
    %28 = stablehlo.convert %27 : (tensor<9xf32>) -> tensor<9xi32>
    %29 = stablehlo.compare GE, %17, %18, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %30 = "stablehlo.gather"(%arg4, %28) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<4x21xf32>, tensor<9xi32>) -> tensor<9x21xf32>
    %31 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<9x21xf32>
    %32 = stablehlo.broadcast_in_dim %29, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %33 = stablehlo.select %32, %30, %31 : tensor<9x21xi1>, tensor<9x21xf32>
    %34 = stablehlo.reshape %16 : (tensor<9x1xf32>) -> tensor<9xf32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [0] : (tensor<9xf32>) -> tensor<9x21xf32>
    %36 = stablehlo.multiply %33, %35 : tensor<9x21xf32>
    %37 = stablehlo.broadcast_in_dim %arg4, dims = [0, 2] : (tensor<4x21xf32>) -> tensor<4x2x21xf32>
    %38 = stablehlo.multiply %8, %37 : tensor<4x2x21xf32>
    %39 = stablehlo.constant dense<0.0> : tensor<f32>
    %40 = stablehlo.reduce(%38 init: %39) applies stablehlo.add across dimensions = [2] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x2xf32>
    return %12, %36, %40 : tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xf32>
  }
}
