module @gathered_sum_combine_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xf32>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x21xf32>) -> (tensor<4x21xf32>, tensor<9x21xf32>) {
    %0 = stablehlo.constant dense<0> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %2 = stablehlo.maximum %arg1, %1 : tensor<4x2xi32>
    %3 = stablehlo.compare GE, %arg1, %1, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %4 = "stablehlo.gather"(%arg0, %2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xf32>, tensor<4x2xi32>) -> tensor<4x2x21xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<4x2x21xf32>
    %7 = stablehlo.broadcast_in_dim %3, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %8 = stablehlo.select %7, %4, %6 : tensor<4x2x21xi1>, tensor<4x2x21xf32>
    %9 = stablehlo.constant dense<0.0> : tensor<f32>
    %10 = stablehlo.reduce(%8 init: %9) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    %11 = stablehlo.reshape %arg2 : (tensor<9x1xi32>) -> tensor<9xi32>
    %12 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %13 = stablehlo.maximum %11, %12 : tensor<9xi32>
    %14 = stablehlo.convert %13 : (tensor<9xi32>) -> tensor<9xf32>
    %15 = stablehlo.constant dense<0.5> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %17 = stablehlo.add %14, %16 : tensor<9xf32>
    %18 = stablehlo.constant dense<2.0> : tensor<f32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %20 = stablehlo.divide %17, %19 : tensor<9xf32>
    %21 = stablehlo.floor %20 : tensor<9xf32>
    %22 = stablehlo.convert %21 : (tensor<9xf32>) -> tensor<9xi32>
    %23 = stablehlo.compare GE, %11, %12, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %24 = "stablehlo.gather"(%arg3, %22) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<4x21xf32>, tensor<9xi32>) -> tensor<9x21xf32>
    %25 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<9x21xf32>
    %26 = stablehlo.broadcast_in_dim %23, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %27 = stablehlo.select %26, %24, %25 : tensor<9x21xi1>, tensor<9x21xf32>
    return %10, %27 : tensor<4x21xf32>, tensor<9x21xf32>
  }
}
