module @gathered_sum_dispatch_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<4x21xf32>, %arg1: tensor<9x1xi32>, %arg2: tensor<4x2xi32>, %arg3: tensor<9x21xf32>) -> (tensor<9x21xf32>, tensor<4x21xf32>) {
    %0 = stablehlo.reshape %arg1 : (tensor<9x1xi32>) -> tensor<9xi32>
    %1 = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %3 = stablehlo.maximum %0, %2 : tensor<9xi32>
    %4 = stablehlo.convert %3 : (tensor<9xi32>) -> tensor<9xf32>
    %5 = stablehlo.constant dense<0.5> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %7 = stablehlo.add %4, %6 : tensor<9xf32>
    %8 = stablehlo.constant dense<2.0> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %10 = stablehlo.divide %7, %9 : tensor<9xf32>
    %11 = stablehlo.floor %10 : tensor<9xf32>
    %12 = stablehlo.convert %11 : (tensor<9xf32>) -> tensor<9xi32>
    %13 = stablehlo.compare GE, %0, %2, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %14 = "stablehlo.gather"(%arg0, %12) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<4x21xf32>, tensor<9xi32>) -> tensor<9x21xf32>
    %15 = stablehlo.constant dense<0.0> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<9x21xf32>
    %17 = stablehlo.broadcast_in_dim %13, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %18 = stablehlo.select %17, %14, %16 : tensor<9x21xi1>, tensor<9x21xf32>
    %19 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %20 = stablehlo.maximum %arg2, %19 : tensor<4x2xi32>
    %21 = stablehlo.compare GE, %arg2, %19, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %22 = "stablehlo.gather"(%arg3, %20) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xf32>, tensor<4x2xi32>) -> tensor<4x2x21xf32>
    %23 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<4x2x21xf32>
    %24 = stablehlo.broadcast_in_dim %21, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %25 = stablehlo.select %24, %22, %23 : tensor<4x2x21xi1>, tensor<4x2x21xf32>
    %26 = stablehlo.constant dense<0.0> : tensor<f32>
    %27 = stablehlo.reduce(%25 init: %26) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    return %18, %27 : tensor<9x21xf32>, tensor<4x21xf32>
  }
}
